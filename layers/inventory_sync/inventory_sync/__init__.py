"""Keeps the stock that NewStore promises equal to the stock the ERP really has."""
